/** The step's metrics, one row per update, read off the device when somebody looks. */
import type { CompiledPretrainStep } from '@franca/pretraining';
import { TrainError } from '../errors';

export type Row = Readonly<Record<string, number>>;

export interface UpdateRows {
  /** The newest loss; NaN before the first step. What is read stays for `take`. */
  latestLoss(): Promise<number>;
  /** All whole updates since the last call. */
  take(): Promise<Row[]>;
}

export function createUpdateRows(step: Pick<CompiledPretrainStep, 'metrics'>, accumulation: number): UpdateRows {
  const waiting: Row[] = [];
  let loss = Number.NaN;
  const read = async (): Promise<void> => {
    const { rows, dropped } = await step.metrics();
    if (dropped > 0)
      throw new TrainError('run', `metrics of ${dropped} micro-steps were overwritten before they were logged`);
    waiting.push(...rows.map((row) => ({ ...row })));
  };
  return {
    async latestLoss() {
      await read();
      loss = waiting.at(-1)?.loss ?? loss;
      return loss;
    },
    async take() {
      await read();
      return everyUpdate(waiting.splice(0), accumulation);
    },
  };
}

/** One row per update: losses averaged over its micro-steps, everything else from the last of them. */
function everyUpdate(rows: readonly Row[], accumulation: number): Row[] {
  return Array.from({ length: Math.floor(rows.length / accumulation) }, (_, i) => {
    const micro = rows.slice(i * accumulation, (i + 1) * accumulation);
    const last = micro.at(-1)!;
    return Object.fromEntries(
      Object.keys(last).map((name) => [
        name,
        /loss$/.test(name) ? micro.reduce((sum, row) => sum + row[name]!, 0) / accumulation : last[name]!,
      ]),
    );
  });
}
