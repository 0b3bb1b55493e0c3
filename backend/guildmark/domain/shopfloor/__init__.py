"""What happens beside machines: jobs, and what an agent keeps of them."""
