"""What machines on the shop floor tell of their jobs: folders, print servers, agents, brokers."""
