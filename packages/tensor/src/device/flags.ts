/** Flag values of the WebGPU specification: Node has no globals such as `GPUBufferUsage`. */
export const GPU_BUFFER_USAGE = {
  MAP_READ: 1,
  MAP_WRITE: 2,
  COPY_SRC: 4,
  COPY_DST: 8,
  UNIFORM: 64,
  STORAGE: 128,
  INDIRECT: 256,
  QUERY_RESOLVE: 512,
} as const;
export const GPU_MAP_READ = 1;
export const GPU_MAP_WRITE = 2;
export const GPU_SHADER_COMPUTE = 4;
