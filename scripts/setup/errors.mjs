/** What can go wrong while setting up and is the user's to put right; the message says how. */
export class SetupError extends Error {}
