/** Measured kernel choices in a browser's storage: one item an adapter, `{ key: variant }` as JSON. */
import type { TuneCache } from './tuning';

/** The choices of one adapter. Where `storage` is absent, full or refuses, choices last as long as the page. */
export function tuneStorage(storage: Pick<Storage, 'getItem' | 'setItem'> | undefined, adapter: string): TuneCache {
  const name = `@franca/tensor tuning: ${adapter}`;
  const read = () => storedChoices(attempt(() => storage?.getItem(name)));
  const choices = read();
  return {
    get: (key) => choices.get(key),
    set(key, variant) {
      choices.set(key, variant);
      // another page may have added choices since this one read them
      const all = Object.fromEntries([...read(), ...choices]);
      attempt(() => storage?.setItem(name, JSON.stringify(all)));
    },
  };
}

/** Text that is missing or not of this form counts as empty. */
function storedChoices(text: string | null | undefined): Map<string, string> {
  const content: unknown = attempt(() => JSON.parse(text ?? 'null'));
  const isChoice = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';
  return new Map(typeof content === 'object' && content !== null ? Object.entries(content).filter(isChoice) : []);
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
