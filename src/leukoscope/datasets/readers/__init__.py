"""One reader a file: each recognises the layout of one data set and turns it into rows."""
