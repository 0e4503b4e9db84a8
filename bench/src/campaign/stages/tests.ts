/** The project's own tests on this adapter, without tuning. */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runChild } from '../child';
import { root, vitest } from '../programs';
import type { Stage, StageContext, StageReport } from '../stage';

export const tests: Stage = {
  name: 'tests',
  about: 'the tests, on this adapter',
  seconds: 540,
  run,
};

/** What a dry campaign tests: that there is something to test with. */
const DRY = ['packages/tensor/src/base'];
const MOST_WORKERS = 12;

async function run({ dry, work, seconds }: StageContext, report: StageReport): Promise<void> {
  const file = join(work, 'tests.json');
  const workers = Math.min(MOST_WORKERS, availableParallelism());
  const command = vitest(
    ...[`--maxWorkers=${workers}`, '--reporter=json', `--outputFile=${file}`],
    ...(dry ? DRY : []),
  );
  const { status, timedOut } = await runChild(command, seconds - 5, { ...process.env, FRANCA_TUNE: 'off' });
  report.note(`${workers} workers, FRANCA_TUNE=off`);
  if (timedOut) throw new Error(`the tests did not end within ${Math.round(seconds - 5)} s`);
  if (!existsSync(file)) throw new Error(`vitest left no report (exit status ${status})`);
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
    readFileSync(file, 'utf8'),
  ) as Results;
  report.figure({ name: 'passed', value: numPassedTests, unit: 'tests' });
  report.figure({ name: 'failed', value: numFailedTests, unit: 'tests' });
  report.figure({ name: 'skipped', value: numPendingTests, unit: 'tests' });
  const failed = testResults.flatMap(({ name, message, assertionResults }) => [
    ...(message ? [{ file: name, test: '', message }] : []),
    ...assertionResults
      .filter((one) => one.status === 'failed')
      .map(({ fullName, failureMessages }) => ({ file: name, test: fullName, message: failureMessages.join('\n') })),
  ]);
  report.detail(
    'failed',
    failed.map(({ message, ...one }) => ({ ...one, message: message.slice(0, 1000) })),
  );
  for (const { file: path, test } of failed.slice(0, 20)) report.note(`failed: ${path.replace(root, '')} ${test}`);
  if (failed.length > 0) throw new Error(`${failed.length} tests or files failed`);
}

/** What of vitest's report is used. */
interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}
