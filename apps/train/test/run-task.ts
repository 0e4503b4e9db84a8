/** Runs one evaluation on an open model and data of a test. */
import { readFile } from 'node:fs/promises';
import { cpuBackend } from '@franca/evals';
import { vi } from 'vitest';
import { openContext } from '../src/eval/context';
import type { EvalResult, EvalTask } from '../src/eval/task';
import type { FeatureSession } from '../src/features/session';

export interface TaskRun {
  readonly data: string;
  /** Where `--items` is written. */
  readonly items: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface TaskOutcome<Line> extends Pick<EvalResult, 'records' | 'section'> {
  /** On the screen. */
  readonly said: string;
  /** Lines of `--items`. */
  readonly items: Line[];
}

export async function runTask<Line = Record<string, unknown>>(
  task: EvalTask,
  session: FeatureSession,
  { data, items, options }: TaskRun,
): Promise<TaskOutcome<Line>> {
  const said: string[] = [];
  const spies = [
    vi.spyOn(console, 'error').mockImplementation((line: string) => void said.push(line)),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean(said.push(String(text)))),
  ];
  await using context = openContext(session, cpuBackend, { data, denseData: data, images: {}, denseImages: {} });
  try {
    const { records, section } = await task.run(context, { ...options, items });
    const lines = (await readFile(items, 'utf8')).split('\n').filter((line) => line !== '');
    return { records, section, said: said.join('\n'), items: lines.map((line) => JSON.parse(line) as Line) };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
