/** Ends a run with the parity table and, alone on the last line, `N passed, N failed` (and `, N skipped`). */
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { ParityRecord } from './parity';

export function closingReporter(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const tests = modules.flatMap((module) => [...module.children.allTests()]);
      const records = tests.flatMap((test) => test.meta().parity ?? []);
      if (records.length) console.log(`\n${parityTable(records)}`);
      console.log(`\n${closingLine(tests, modules, unhandledErrors.length)}`);
    },
  };
}

/** A file that could not be loaded, a failing hook and a stray error have no test of their own: each counts as one. */
function closingLine(tests: TestCase[], modules: readonly TestModule[], strayErrors: number): string {
  const count = (state: string) => tests.filter((test) => test.result().state === state).length;
  const broken = modules.reduce((sum, module) => {
    const suites = [...module.children.allSuites()];
    return sum + module.errors().length + suites.reduce((errors, suite) => errors + suite.errors().length, 0);
  }, 0);
  const skipped = count('skipped') + count('pending');
  const line = `${count('passed')} passed, ${count('failed') + broken + strayErrors} failed`;
  return skipped ? `${line}, ${skipped} skipped` : line;
}

/** Per fixture file: worst error / tolerance, how many comparisons it is the worst of, and which one it was. */
function parityTable(records: ParityRecord[]): string {
  const files = new Map<string, ParityRecord[]>();
  for (const record of records) files.set(record.file, [...(files.get(record.file) ?? []), record]);
  const rows = [...files]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([file, own]) => {
      const worst = own.reduce((a, b) => (b.ratio > a.ratio ? b : a));
      return [file, worst.ratio.toFixed(3), String(own.length), worst.what];
    });
  const table = [['parity file', 'worst error / tolerance', 'comparisons', 'worst at'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
