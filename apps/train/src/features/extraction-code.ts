/** What computes features, in words for cache keys: the version of the extraction, its packages, its decoder and its device. */
import { createRequire } from 'node:module';
import { DECODER } from '@franca/data';

/**
 * To be raised whenever the same images and weights give other numbers than before, so that no older features are taken for them; the test
 * beside this file notices.
 */
export const EXTRACTION = 2;

const PACKAGES = ['tensor', 'nn', 'vit', 'data', 'checkpoint'];

/**
 * The adapter counts, with its driver, because a wrong driver gives wrong numbers, and who runs another adapter to see that must not be
 * given those of the first. All is computed in f32. Batch size and tuned kernels do not count: they move last digits only.
 */
export function extractionCode({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const require = createRequire(import.meta.url);
  const packages = PACKAGES.map((name) => {
    const { version } = require(`@franca/${name}/package.json`) as { version: string };
    return `${name} ${version}`;
  });
  return [
    `extraction ${EXTRACTION}`,
    ...packages,
    DECODER,
    `f32 on ${[vendor, architecture, device, description].filter(Boolean).join(', ')}`,
  ].join(', ');
}
