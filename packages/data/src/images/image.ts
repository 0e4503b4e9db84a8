/** A decoded 8-bit image: rows from top to bottom, channels interleaved, nothing between rows. */
export interface PixelImage {
  /** Columns. */
  width: number;
  /** Rows. */
  height: number;
  /** 3 is RGB; 4 is RGB and a fourth byte that is ignored, the layout the GPU path uploads. */
  channels: 3 | 4;
  /** `height * width * channels` bytes. */
  data: Uint8Array;
}
