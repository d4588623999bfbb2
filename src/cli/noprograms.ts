/**
 * What the command's bundle has in place of node:child_process where commander asks for it: commander starts programs for
 * commands that are files of their own, and here there are none. Node takes a millisecond to load the real one.
 */

export {};
