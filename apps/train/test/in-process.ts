/** The command line run in this process, with what it prints. */
import { afterAll, beforeAll, beforeEach, vi } from 'vitest';
import { runCli } from '../src/run-cli';

export interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** Runs `franca-train` with these words. */
export async function run(...words: readonly string[]): Promise<Outcome> {
  const lines: string[] = [];
  const keep = (...texts: unknown[]) => void lines.push(texts.join(' '));
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(keep),
    vi.spyOn(console, 'error').mockImplementation(keep),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean(lines.push(String(text)))),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean(lines.push(String(text)))),
  ];
  try {
    return { status: await runCli(words), output: lines.join('\n') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** What is printed in each test of the file that calls this, and before its first one: lines of the console, which are kept off the screen. */
export function printedLines(): string[] {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  beforeAll(() => {
    vi.spyOn(console, 'log').mockImplementation(keep);
    vi.spyOn(console, 'error').mockImplementation(keep);
  });
  beforeEach(() => void lines.splice(0));
  afterAll(() => void vi.restoreAllMocks());
  return lines;
}
