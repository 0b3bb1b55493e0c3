"""What a part carries: its link and its QR code."""
