import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { CheckpointError, type CheckpointErrorCode } from '../src/errors';

/** Path of a file that real `torch.save` wrote; `fixtures/pth/make.py` tells how. */
export function pthFixture(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/pth/${name}`, import.meta.url));
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of the test file's own, removed when its tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'franca-checkpoint-'));
  folders.push(folder);
  return folder;
}

/** Expects a promise (or a function's result) to be a CheckpointError of this code whose message matches. */
export async function expectError(
  attempt: Promise<unknown> | (() => unknown),
  code: CheckpointErrorCode,
  message: RegExp = /./,
): Promise<void> {
  const error = await (async () => (typeof attempt === 'function' ? attempt() : attempt))().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as CheckpointError).code).toBe(code);
  expect((error as CheckpointError).message).toMatch(message);
}

/** Bytes of a safetensors file with any header, honest or not. */
export function safetensorsBytes(header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

/** A small seeded generator (mulberry32), so that a failing case can be run again. */
export function seededInteger(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Runs `body` and returns the most bytes that a single typed array or array buffer was created with by length. */
export async function largestAllocation(body: () => Promise<void>): Promise<number> {
  const names = ['ArrayBuffer', 'Uint8Array', 'Uint16Array', 'Uint32Array', 'Float32Array', 'Float64Array'] as const;
  const originals = names.map((name) => globalThis[name]);
  let largest = 0;
  for (const [index, name] of names.entries()) {
    const original = originals[index]!;
    const width = 'BYTES_PER_ELEMENT' in original ? original.BYTES_PER_ELEMENT : 1;
    const construct = (target: object, args: unknown[], newTarget: unknown) => {
      if (typeof args[0] === 'number') largest = Math.max(largest, args[0] * width);
      return Reflect.construct(target as never, args, newTarget as never) as object;
    };
    Object.assign(globalThis, { [name]: new Proxy(original, { construct }) });
  }
  try {
    await body();
  } finally {
    for (const [index, name] of names.entries()) Object.assign(globalThis, { [name]: originals[index] });
  }
  return largest;
}
