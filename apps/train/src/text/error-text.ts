/** An error for people, and for the shell. */

/** One clear line for what the packages and the system report; the stack too for anything else under `FRANCA_DEBUG`. */
export function errorText(error: unknown): string {
  if (process.env.FRANCA_DEBUG) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const expected = code !== undefined && !code.startsWith('ERR_');
  return expected ? error.message : `unexpected ${error.name}: ${error.message} (FRANCA_DEBUG=1 shows where)`;
}

/** What the process ends with after this error. */
export function exitStatus(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'interrupted') return 130;
  return code === 'config' || code === 'usage' ? 2 : 1;
}
