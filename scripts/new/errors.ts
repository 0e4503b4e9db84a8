/** What `npm run new` will not do; the message says why, in a line. */
export class Refusal extends Error {}
