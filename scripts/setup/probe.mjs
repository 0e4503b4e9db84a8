/**
 * A program of its own, because a driver can take its whole process down: asks Dawn for an adapter, runs one kernel on
 * it, and prints what answered as JSON. Exit status 1 and a reason on stderr otherwise.
 */
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
// Collected while its devices live, this object takes the process down; the global keeps it.
globalThis.gpu = create([]);

const adapter = await globalThis.gpu.requestAdapter({ powerPreference: 'high-performance' });
if (!adapter) {
  console.error('no adapter');
  process.exit(1);
}
const device = await adapter.requestDevice();
const answer = await plusOne(41);
if (answer !== 42) {
  console.error(`${adapter.info.description} computes wrongly: 41 + 1 = ${answer}`);
  process.exit(1);
}
const { vendor, device: name, description, isFallbackAdapter } = adapter.info;
console.log(JSON.stringify({ vendor, name, description, software: isFallbackAdapter }));
device.destroy();
process.exit(0);

async function plusOne(value) {
  const code =
    '@group(0) @binding(0) var<storage, read_write> x: array<u32>; @compute @workgroup_size(1) fn main() { x[0] += 1; }';
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const storage = device.createBuffer({ size: 4, usage: STORAGE | COPY_SRC | COPY_DST });
  const readback = device.createBuffer({ size: 4, usage: COPY_DST | MAP_READ });
  device.queue.writeBuffer(storage, 0, Uint32Array.of(value));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: storage } }],
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(storage, 0, readback, 0, 4);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  return new Uint32Array(readback.getMappedRange())[0];
}
