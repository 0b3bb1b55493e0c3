"""What is told of a plan and its outcome to those who file it, and to those who only ask."""
