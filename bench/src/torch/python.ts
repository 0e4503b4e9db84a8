/** Python that has PyTorch, and programs of it whose last line is JSON. */
import { execFile, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Python that has PyTorch, if any: `program`, else the first of the usual names. */
export function findPython(program?: string): string | undefined {
  const candidates = program ? [program] : ['python3', '/usr/bin/python3', 'python'];
  return candidates.find((candidate) => spawnSync(candidate, ['-c', 'import torch']).status === 0);
}

/** The folder with the programs that are not JavaScript: the one of this file, wherever it was bundled to. */
export const SCRIPTS: string = dirname(fileURLToPath(import.meta.url));

export interface PythonCall {
  readonly python: string;
  /** Folder of the program. */
  readonly scripts: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Killed after this time. */
  readonly limitSeconds: number;
}

/** Runs a program and parses the last line that it prints. A failure is an `Error` with the end of what it complained of. */
export async function runPython<T>({ python, scripts, script, args, limitSeconds }: PythonCall): Promise<T> {
  const words = [join(scripts, script), ...args];
  try {
    const options = { timeout: 1000 * limitSeconds, killSignal: 'SIGKILL', maxBuffer: 2 ** 28 } as const;
    const { stdout } = await run(python, words, options);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
  } catch (error) {
    const { stderr = '', killed, message } = error as Error & { stderr?: string; killed?: boolean };
    const reason = killed ? `took more than ${limitSeconds} s` : lastLines(stderr) || message;
    throw new Error(`${script} ${args.slice(1).join(' ')}: ${reason}`, { cause: error });
  }
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-4).join('\n');
