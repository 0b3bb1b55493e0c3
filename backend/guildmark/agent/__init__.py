"""What runs beside a machine: signs what it did and queues while the network is down."""
