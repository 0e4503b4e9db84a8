/** Tables of measured choices that come with the package, one file an adapter. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TensorError } from '../base/errors';
import { type TuningTable, tuningTableOf } from './tuning';

/** All tables of a folder; none where it is missing, as in a program that was bundled without it. @throws TensorError options for a file that is no table */
export function shippedTables(folder: URL): TuningTable[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names.sort().map((name) => {
    const file = new URL(name, folder);
    const table = tuningTableOf(contentOf(file));
    if (table) return table;
    throw new TensorError('options', `${fileURLToPath(file)} is no table of kernel choices; write it with tuningTable`);
  });
}

function contentOf(file: URL): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
