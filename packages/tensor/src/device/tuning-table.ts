/** The choices of a device as a table: written beside a run, taken over when it goes on, shipped with this package. */
import { version } from '../../package.json';
import { adapterName } from './adapter-name';
import type { Gpu } from './gpu';
import type { ChoiceOrigin, TuningTable } from './tuning';

/** Everything that was chosen on a device so far, sorted by key. */
export function tuningTable({ adapterInfo, tuning }: Gpu): TuningTable {
  const made = [...tuning.made].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    adapter: adapterName(adapterInfo),
    version,
    date: new Date().toISOString(),
    choices: Object.fromEntries(made.map(([key, { variant }]) => [key, variant])),
    origins: Object.fromEntries(made.map(([key, { origin }]): [string, ChoiceOrigin] => [key, origin])),
  };
}

/**
 * Takes over the choices of a table before anything is compiled, so that the same kernels run and the same bits come out.
 * @returns false, and does nothing, where the table is of another adapter or driver
 */
export function useTuningTable({ adapterInfo, tuning }: Gpu, { adapter, choices }: TuningTable): boolean {
  if (adapter !== adapterName(adapterInfo)) return false;
  for (const [key, variant] of Object.entries(choices)) tuning.made.set(key, { variant, origin: 'table' });
  return true;
}
