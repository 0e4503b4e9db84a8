/**
 * How `franca-train` is started as a process of its own: as it was built, where each package's build is newer than its sources, as `npm test` leaves them. It is
 * there after a second then; from the sources it takes four.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const app = join(root, 'apps/train');

const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function isBuilt(workspace: string): boolean {
  const builtAt = changedAt(join(workspace, 'dist/index.js'));
  const sources = readdirSync(join(workspace, 'src'), { recursive: true, encoding: 'utf8' });
  return sources.every((path) => changedAt(join(workspace, 'src', path)) < builtAt);
}

const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));

/** The words before its arguments. */
export const cliProgram: readonly string[] = [app, ...packages].every(isBuilt)
  ? [process.execPath, join(app, 'dist/cli.js')]
  : [process.execPath, '--import', 'tsx', join(app, 'src/cli.ts')];
