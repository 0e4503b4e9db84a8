/** Commands as they can be pasted into a shell: what holds a space or another special character is quoted. */

const PLAIN = /^[\w@%+=:,./~-]+$/;

/** One word of a command. Quoted as POSIX shells and PowerShell both read it, unless it holds a quote itself. */
export const shellWord = (text: string): string =>
  PLAIN.test(text) && !text.startsWith('~') ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** A whole command. */
export const shellCommand = (words: readonly string[]): string => words.map(shellWord).join(' ');
