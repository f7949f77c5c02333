"""How the admin writes dates, by language. There is one."""
