/** Examples as tests: each program of `examples/` runs in a process of its own, as a reader would run it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs `examples/<file>` as a reader would, on the packages' sources, and returns what it printed. */
export async function runExample(file: string, ...args: string[]): Promise<string> {
  const command = ['--import', 'tsx', `examples/${file}`, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root });
  return stdout;
}
