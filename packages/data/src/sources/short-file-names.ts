/** Short names that tell files apart: base names, and with as many folders before them as it takes where those repeat. */

import { DataError } from '../errors';
import { isAddress } from '../files/open-file';

/**
 * The name of each file in the keys of its images: `00.tar`, or `a/00.tar` and `b/00.tar`. The query of an address is left
 * out where nothing else differs: signatures in it change from day to day.
 * @throws DataError `spec` when a file is given twice: its images would count twice under the same keys
 */
export function shortFileNames(files: readonly string[]): string[] {
  const seen = new Set<string>();
  for (const file of files) {
    if (seen.has(file)) {
      throw new DataError('spec', `${file} is given twice, and its images would count twice; give each file once`);
    }
    seen.add(file);
  }
  const plain = files.map((file) => (isAddress(file) ? file.replace(/[?#].*$/, '') : file));
  const parts = (new Set(plain).size === files.length ? plain : files).map((file) => file.split('/'));
  const names: string[] = [];
  const nameByTail = (group: readonly number[], depth: number): void => {
    const byTail = new Map<string, number[]>();
    for (const at of group) {
      const tail = parts[at]!.slice(-depth).join('/');
      const same = byTail.get(tail);
      if (same) same.push(at);
      else byTail.set(tail, [at]);
    }
    for (const [tail, same] of byTail) {
      if (same.length > 1) nameByTail(same, depth + 1);
      else names[same[0]!] = tail;
    }
  };
  nameByTail([...files.keys()], 1);
  return names;
}
