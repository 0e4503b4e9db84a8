/**
 * `metrics.jsonl`: one JSON object a line and step. A resumed run continues after its checkpoint, so lines beyond it, written by the run that
 * was stopped, are cut off first; a half-written last line goes with them.
 */
import { open, readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@franca/checkpoint';

export type MetricRow = Readonly<Record<string, number | string | boolean | null>> & { readonly step: number };

export interface MetricsLog extends AsyncDisposable {
  append(rows: readonly MetricRow[]): Promise<void>;
}

/** Opens the log for rows after `step`; earlier rows stay, or are those of the log `before`. */
export async function openMetricsLog(path: string, step: number, before: string = path): Promise<MetricsLog> {
  const kept = (await readMetrics(before)).filter((row) => row.step <= step);
  await writeFileAtomic(path, (sink) => sink(Buffer.from(kept.map((row) => `${JSON.stringify(row)}\n`).join(''))));
  const file = await open(path, 'a');
  return {
    async append(rows) {
      if (rows.length > 0) await file.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** All whole rows of a log; none if the file does not exist. NaN and infinities are read as null. */
export async function readMetrics(path: string): Promise<MetricRow[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as MetricRow] : [];
    } catch {
      return [];
    }
  });
}
