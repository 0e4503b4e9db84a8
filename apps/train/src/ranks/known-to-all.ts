/** Errors that all ranks know of, and errors that stand on the screen already. */

const agreed = new WeakSet<object>();
const told = new WeakSet<object>();

/** Marks an error that every rank has come to, so that all end with it. */
export function markAgreed<E extends Error>(error: E): E {
  agreed.add(error);
  return error;
}

/** Whether all ranks know of this error, or of what caused it. */
export function isAgreed(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (agreed.has(at)) return true;
  return false;
}

/** Marks an error that a rank has printed, this one or another. */
export function markTold<E>(error: E): E {
  if (error instanceof Error) told.add(error);
  return error;
}

export const wasTold = (error: unknown): boolean => error instanceof Error && told.has(error);
