/** What it takes to bring a value from the device to memory that other processes are sent from, and back: the way of every exchange between ranks. */
import type { Gpu } from '@franca/tensor';

const [MAP_READ, MAP_WRITE, COPY_SRC, COPY_DST] = [1, 2, 4, 8];
const RUNS = 21;

export interface StagingTimes {
  readonly bytes: number;
  /** Seconds from the submission of a copy until its memory is mapped for reading. */
  readonly read: number;
  /** Seconds from the submission of a copy out of memory that was mapped for writing until the device is done with it. */
  readonly write: number;
}

/** The fastest of some runs: one during which nothing else ran. */
export async function measureStaging(gpu: Gpu, bytes: number): Promise<StagingTimes> {
  const { device } = gpu;
  const make = (usage: number): GPUBuffer => device.createBuffer({ size: bytes, usage });
  const own = make(COPY_SRC | COPY_DST);
  const [down, up] = [make(MAP_READ | COPY_DST), make(MAP_WRITE | COPY_SRC)];
  const submitCopy = (from: GPUBuffer, to: GPUBuffer): void => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
    device.queue.submit([encoder.finish()]);
  };
  const [reads, writes]: number[][] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    await gpu.wait(up.mapAsync(MAP_WRITE));
    new Float32Array(up.getMappedRange()).fill(run);
    up.unmap();
    writes!.push(
      await secondsOf(() => {
        submitCopy(up, own);
        return gpu.wait(device.queue.onSubmittedWorkDone());
      }),
    );
    reads!.push(
      await secondsOf(() => {
        submitCopy(own, down);
        return gpu.wait(down.mapAsync(MAP_READ));
      }),
    );
    const values = new Float32Array(down.getMappedRange());
    if (values.at(-1) !== run) throw new Error(`read ${values.at(-1)} of what was written as ${run}`);
    down.unmap();
  }
  for (const buffer of [own, down, up]) buffer.destroy();
  return { bytes, read: Math.min(...reads!), write: Math.min(...writes!) };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
