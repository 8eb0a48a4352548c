"""Files of commands: read, run on a world whose time can be stepped, or published."""
