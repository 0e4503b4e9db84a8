/** Misspelt options refused: in plain JavaScript `teacher_temp` would be an option that is left out, in silence. */
import { SinkhornError } from './errors';

/** Throws `options` unless `options` is an object of known names; `known` is `Record<keyof Options, true>`. */
export function checkOptions(what: string, options: unknown, known: Readonly<Record<string, true>>): void {
  const names = Object.keys(known).join(', ');
  if (typeof options !== 'object' || options === null)
    throw new SinkhornError('options', `${what}: options are ${String(options)}; give an object with ${names}`);
  const wrong = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (wrong !== undefined)
    throw new SinkhornError('options', `${what}: there is no option "${wrong}"; options are ${names}`);
}
