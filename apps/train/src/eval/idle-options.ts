/** Options that would change nothing of an evaluation: refused before any work, since who gives one expects another number. */
import { TrainError } from '../errors';
import { flagOf } from './paper-protocol';

/** What was given on the command line. */
export type GivenOptions = Readonly<Record<string, unknown>>;

/** Options by name, with where they have no effect; `false` where they have one. */
export type IdleOptions = Readonly<Record<string, string | false>>;

/** Of evaluations that read CLS tokens alone. */
export const ofCls = ({ rasa }: GivenOptions): IdleOptions => ({
  rasa: rasa !== 'none' && 'on CLS tokens: RASA is taken out of patch tokens, and none is read here',
});

/** @throws TrainError `usage` for an option that is given and has no effect */
export function refuseIdle(given: GivenOptions, idle: IdleOptions): void {
  for (const [name, where] of Object.entries(idle))
    if (where && given[name] !== undefined)
      throw new TrainError('usage', `${flagOf(name)} has no effect ${where}; leave it out`);
}
