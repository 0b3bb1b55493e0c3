"""What an audit says of units and logs: values and rules, without anybody who is asked."""
