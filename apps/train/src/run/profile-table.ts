/** A step's time by kind of kernel, longest first, with rates and their share of the adapter's peak. */
import type { KernelTime, Target } from '@franca/tensor';
import Table from 'cli-table3';

const SHOWN = 24;

/** `measured`: the day on which the target's rates were measured; undefined: they are rough guesses. */
export function profileTable(
  times: readonly KernelTime[],
  { flopsPerSecond, bytesPerSecond, name }: Target,
  measured: string | undefined,
): string {
  const total = times.reduce((sum, time) => sum + time.milliseconds, 0);
  const table = new Table({
    head: ['kernel', 'count', 'ms', '%', 'GFLOP/s', 'GB/s', 'of peak'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const { label, count, milliseconds, flops, bytes } of times.slice(0, SHOWN)) {
    const seconds = Math.max(milliseconds / 1000, 1e-9);
    const floor = Math.max(flops / flopsPerSecond, bytes / bytesPerSecond);
    table.push([
      shorten(label),
      count,
      milliseconds.toFixed(2),
      ((100 * milliseconds) / total).toFixed(1),
      (flops / seconds / 1e9).toFixed(1),
      (bytes / seconds / 1e9).toFixed(1),
      `${((100 * floor) / seconds).toFixed(0)} %`,
    ]);
  }
  return [
    `kernels of one step on ${name}: ${total.toFixed(1)} ms (peak ${(flopsPerSecond / 1e9).toFixed(0)} GFLOP/s, ${(bytesPerSecond / 1e9).toFixed(0)} GB/s: ${measured ? `measured ${measured}` : 'guessed, franca-train doctor --measure measures it'})`,
    table.toString(),
  ].join('\n');
}

const shorten = (label: string): string => (label.length > 48 ? `${label.slice(0, 45)}...` : label);
