/** Thrown with a line that says why a newer Mesa cannot be had on this machine. */
export class NoNewerMesa extends Error {}
