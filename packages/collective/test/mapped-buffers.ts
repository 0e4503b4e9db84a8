/** A rank: sums what lies in a mapped buffer of its GPU, straight into another one. */
import { GPU_BUFFER_USAGE as USAGE } from '../../tensor/src/device/flags';
import { openGpu } from '../../tensor/src/node';
import { openCommunicator } from '../src/index';

await using ranks = await openCommunicator();
await using gpu = await openGpu({ tuning: false });
const { device } = gpu;
const bytes = 16;
// WebGPU's constants, which Node has no globals for
const [MAP_READ, MAP_WRITE, READ, WRITE] = [1, 2, 1, 2];
const source = device.createBuffer({ size: bytes, usage: USAGE.COPY_SRC | USAGE.COPY_DST });
device.queue.writeBuffer(
  source,
  0,
  Float32Array.of(1, 2, 3, 4).map((value) => value + ranks.rank),
);
const sent = device.createBuffer({ size: bytes, usage: MAP_READ | USAGE.COPY_DST });
const received = device.createBuffer({ size: bytes, usage: MAP_WRITE | USAGE.COPY_SRC });
const encoder = device.createCommandEncoder();
encoder.copyBufferToBuffer(source, 0, sent, 0, bytes);
device.queue.submit([encoder.finish()]);
await Promise.all([gpu.wait(sent.mapAsync(READ)), gpu.wait(received.mapAsync(WRITE))]);
await ranks.allReduce(new Float32Array(sent.getMappedRange()), new Float32Array(received.getMappedRange()));
sent.unmap();
received.unmap();
const back = device.createCommandEncoder();
back.copyBufferToBuffer(received, 0, source, 0, bytes);
device.queue.submit([back.finish()]);
const sums = new Float32Array(await gpu.readBytes(source, 0, bytes));
console.log(`rank ${ranks.rank}: ${[...sums].join()}`);
for (const buffer of [source, sent, received]) buffer.destroy();
