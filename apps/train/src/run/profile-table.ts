/** A step's time by kind of kernel and by label, longest first: what was measured beside what the plan expects, with rates and their share of the peak. */
import { costByLabel, type KernelKind, type KernelTime, type Plan, rateOf, type Target } from '@franca/tensor';
import Table from 'cli-table3';
import { rateNote } from '../plan/describe-rates';

const SHOWN = 24;

/** Kernels of one label, or of one kind. */
export interface ProfileRow {
  readonly label: string;
  readonly kind: KernelKind;
  readonly count: number;
  readonly milliseconds: number;
  /** What the plan expects them to take at the target's rates. */
  readonly expectedMilliseconds: number;
  readonly gigaflops: number;
  readonly gigabytes: number;
}

/** Measured times of a step beside the expected ones, by label and kind. `target` has the rates that count, the plan's own by default. */
export function profileRows(times: readonly KernelTime[], plan: Plan, target: Target = plan.target): ProfileRow[] {
  const costs = costByLabel(plan, target);
  return times.map(({ label, kind, count, milliseconds, flops, bytes }) => {
    const cost = costs.find((own) => own.label === label && own.kind === kind);
    return {
      label,
      kind,
      count,
      milliseconds,
      expectedMilliseconds: (cost?.seconds ?? 0) * 1000,
      gigaflops: flops / 1e9,
      gigabytes: bytes / 1e9,
    };
  });
}

/** The same rows summed by kind, longest first. */
export function profileByKind(rows: readonly ProfileRow[]): ProfileRow[] {
  const kinds = new Map<KernelKind, ProfileRow>();
  for (const row of rows) {
    const sum = kinds.get(row.kind);
    kinds.set(row.kind, {
      label: row.kind,
      kind: row.kind,
      count: row.count + (sum?.count ?? 0),
      milliseconds: row.milliseconds + (sum?.milliseconds ?? 0),
      expectedMilliseconds: row.expectedMilliseconds + (sum?.expectedMilliseconds ?? 0),
      gigaflops: row.gigaflops + (sum?.gigaflops ?? 0),
      gigabytes: row.gigabytes + (sum?.gigabytes ?? 0),
    });
  }
  return [...kinds.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** Both tables as text. */
export function profileTable(rows: readonly ProfileRow[], target: Target): string {
  const sum = (value: (row: ProfileRow) => number): number => rows.reduce((total, row) => total + value(row), 0);
  const [measured, expected] = [sum((row) => row.milliseconds), sum((row) => row.expectedMilliseconds)];
  return [
    `kernels of one step on ${target.name}: ${measured.toFixed(1)} ms; the plan expects ${expected.toFixed(1)} ms (${rateNote(target.rates)})`,
    tableOf('kind', profileByKind(rows), target, measured),
    tableOf('kernel', rows.slice(0, SHOWN), target, measured),
  ].join('\n');
}

function tableOf(first: string, rows: readonly ProfileRow[], target: Target, total: number): string {
  const table = new Table({
    head: [first, 'count', 'ms', 'expected', '%', 'GFLOP/s', 'GB/s', 'of peak'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...Array.from({ length: 7 }, () => 'right' as const)],
  });
  for (const row of rows) {
    const seconds = Math.max(row.milliseconds / 1000, 1e-9);
    table.push([
      shorten(row.label),
      row.count,
      row.milliseconds.toFixed(2),
      row.expectedMilliseconds.toFixed(2),
      ((100 * row.milliseconds) / total).toFixed(1),
      (row.gigaflops / seconds).toFixed(1),
      (row.gigabytes / seconds).toFixed(1),
      `${((100 * leastSeconds(row, target)) / seconds).toFixed(0)} %`,
    ]);
  }
  return table.toString();
}

/** Time at the full rate of the kind, or of memory. */
const leastSeconds = ({ kind, gigaflops, gigabytes }: ProfileRow, { rates }: Target): number =>
  Math.max((gigaflops * 1e9) / rates[rateOf(kind)].value, (gigabytes * 1e9) / rates.bytes.value);

const shorten = (label: string): string => (label.length > 48 ? `${label.slice(0, 45)}...` : label);
