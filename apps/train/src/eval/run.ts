/** Runs evaluation tasks on one model and writes what they give. */
import type { EvalRecord } from '@franca/evals';
import type { ReportSection } from '@franca/viz';
import { duration } from '../text/amounts';
import type { EvalContext } from './context';
import { type EvalResults, resultsTable, writeJson, writePage } from './results';
import type { EvalResult, RunnableTask } from './task';

export interface OutputOptions {
  readonly json?: string;
  readonly html?: string;
}

/** Tasks one after the other. With `keepGoing` one that fails is reported and left out; there must be one result at least. */
export async function runTasks(
  context: EvalContext,
  tasks: readonly RunnableTask[],
  options: Readonly<Record<string, unknown>>,
  keepGoing: boolean,
): Promise<Pick<EvalResults, 'records' | 'sections'>> {
  const records: EvalRecord[] = [];
  const sections: ReportSection[] = [];
  for (const task of tasks) {
    const began = performance.now();
    let result: EvalResult;
    try {
      result = await task.run(context, options);
    } catch (error) {
      if (!keepGoing || !(error instanceof Error)) throw error;
      console.error(`${task.name}: ${error.message}`);
      sections.push({ title: titleOf(task), notices: [{ kind: 'error', text: error.message }] });
      continue;
    }
    if (keepGoing) console.error(`${task.name}: ${duration((performance.now() - began) / 1000)}`);
    records.push(...result.records);
    if (result.section) sections.push({ title: titleOf(task), ...result.section });
  }
  return { records, sections };
}

const titleOf = ({ name, about }: RunnableTask): string => `${name}: ${about}`;

/** Prints the table, writes the files. */
export async function finish(results: EvalResults, { json, html }: OutputOptions): Promise<void> {
  console.log(resultsTable(results));
  if (json) await writeJson(json, results.records);
  if (html) await writePage(html, results);
  for (const path of [json, html]) if (path) console.log(`wrote ${path}`);
}
