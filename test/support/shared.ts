/**
 * Real photographs and weights, too large for the repository, lie in a folder named `shared` beside the checkout (or one
 * level above that), or where `FRANCA_SHARED` says. Tests that use them skip, saying so, where they are absent:
 *
 *   const images = sharedData('imagenette-128');
 *   test.skipIf(!images)('... (needs shared/data/imagenette-128)', ...)
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Path of `shared/data/<name>`, or undefined where it is absent. */
export function sharedData(name: string): string | undefined {
  const folders = process.env.FRANCA_SHARED
    ? [resolve(process.env.FRANCA_SHARED)]
    : [resolve(root, 'shared'), resolve(root, '../shared'), resolve(root, '../../shared')];
  return folders.map((folder) => join(folder, 'data', name)).find((path) => existsSync(path));
}
