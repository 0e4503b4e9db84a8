/** Runs evaluation tasks on one model and writes what they give. */
import type { EvalRecord } from '@franca/evals';
import type { ReportSection } from '@franca/viz';
import { TrainError } from '../errors';
import { duration } from '../text/amounts';
import type { EvalContext } from './context';
import { type EvalResults, resultsInShort, resultsTable, writeJson, writePage } from './results';
import type { EvalResult, RunnableTask } from './task';

export interface OutputOptions {
  readonly json?: string;
  readonly html?: string;
  /** What the task writes itself, line by line. */
  readonly items?: string;
  /** A trained classifier. */
  readonly saveProbe?: string;
}

/** What tasks gave, and which failed. */
export interface RunResults extends Pick<EvalResults, 'records' | 'sections'> {
  readonly failed: readonly string[];
}

/**
 * Tasks one after the other; the next is asked for when the one before it is done. With `keepGoing` one for which the data have nothing (classes, masks) is told and left out, and one that fails is reported and
 * counted; the others go on.
 */
export async function runTasks(
  context: EvalContext,
  tasks: Iterable<RunnableTask>,
  options: Readonly<Record<string, unknown>>,
  keepGoing: boolean,
): Promise<RunResults> {
  const failed: string[] = [];
  const records: EvalRecord[] = [];
  const sections: ReportSection[] = [];
  for (const task of tasks) {
    const began = performance.now();
    let result: EvalResult;
    try {
      result = await task.run(context, options);
    } catch (error) {
      if (!keepGoing || !(error instanceof Error)) throw error;
      const lacking = error instanceof TrainError && error.code === 'data';
      if (!lacking) failed.push(task.name);
      const text = `${lacking ? 'not run' : 'failed'}: ${error.message}`;
      console.error(`${task.name} ${text}`);
      sections.push({ title: titleOf(task), notices: [{ kind: lacking ? 'info' : 'error', text }] });
      continue;
    }
    if (keepGoing) console.error(`${task.name}: ${duration((performance.now() - began) / 1000)}`);
    records.push(...result.records);
    failed.push(...(result.failed ?? []));
    if (result.section) sections.push({ title: titleOf(task), ...result.section });
  }
  return { records, sections, failed };
}

const titleOf = ({ name, about }: RunnableTask): string => `${name}: ${about}`;

/**
 * Prints the table, writes the files.
 * @throws TrainError `run` at the end where an evaluation failed
 */
export async function finish(
  { failed = [], ...results }: EvalResults & { readonly failed?: readonly string[] },
  { json, html, items }: OutputOptions,
): Promise<void> {
  console.log(resultsTable(results));
  const short = resultsInShort(results);
  if (short) console.log(`\n${short}\n`);
  if (json) await writeJson(json, [...results.records, ...(results.control ?? [])]);
  if (html) await writePage(html, results);
  for (const path of [json, html, items]) if (path) console.log(`wrote ${path}`);
  if (failed.length > 0)
    throw new TrainError('run', `failed: ${failed.join(', ')}; each says above and on the page why`);
}
