/**
 * The page of the check of browsers: computes, and leaves what came of it as `outcome` of the window. The classifier is fetched where the
 * address of the page names it: `?weights=/files/weights&pictures=/files/pictures`.
 */
import { openGpu } from '@franca/tensor/browser';
import { numbers, whenLost } from './numbers';
import type { PageOutcome } from './outcome';

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
  const asked = new URLSearchParams(location.search);
  const [weights, pictures] = [asked.get('weights'), asked.get('pictures')];
  const results = await numbers(gpu, weights && pictures ? { weights, pictures } : undefined);
  const milliseconds = performance.now() - began;
  return { adapter, family, numbers: results, milliseconds, lost: await whenLost(gpu) };
}
