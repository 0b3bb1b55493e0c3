"""A node under work for hours (F24): what its processes and its database take, and what it lost."""
