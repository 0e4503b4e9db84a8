/** Why there is no bundle; the message says in a line what to do. */
export class BundleError extends Error {}
