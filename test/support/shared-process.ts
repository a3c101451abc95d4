/**
 * Runs before each file that shares its process with others. A service that an earlier file started in this process has
 * narrowed the file mask, as `serve` does; every file begins with the mask of a shell.
 */
process.umask(0o022);
