/** The page of the check of browsers: computes, and leaves what came of it as `outcome` of the window. */
import { openGpu } from '@franca/tensor/browser';
import { numbers, whenLost } from './numbers';

/** What the page leaves behind. */
export interface PageOutcome {
  readonly adapter?: string;
  readonly family?: string;
  readonly lost?: string;
  readonly numbers?: Record<string, number[]>;
  readonly milliseconds?: number;
  /** Code and message of what was thrown. */
  readonly error?: string;
}

declare global {
  var outcome: PageOutcome | undefined;
}

globalThis.outcome = await compute().catch((error: Error & { code?: string }) => ({
  error: `${error.code ?? error.name}: ${error.message}`,
}));

async function compute(): Promise<PageOutcome> {
  const began = performance.now();
  await using gpu = await openGpu({ tuning: false });
  const { name: adapter, family } = gpu.target;
  const results = await numbers(gpu);
  const milliseconds = performance.now() - began;
  return { adapter, family, numbers: results, milliseconds, lost: await whenLost(gpu) };
}
