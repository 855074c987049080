/**
 * Rows that lie end to end become the beginnings of longer rows, on the GPU: caches of a prompt move into caches
 * that have room for the response. What lies behind a row's beginning stays as it is.
 */
import { withArena } from './buffers';
import { computePipeline, encodePass, type Shader } from './pipeline';
import code from './place-rows.wgsl?raw';
import { submit } from './submit';

const SHADER: Shader = { name: 'place-rows.wgsl', code };

export interface RowMove {
  /** [rows, length] words of 32 bits */
  from: GPUBuffer;
  /** [rows, stride] */
  to: GPUBuffer;
  rows: number;
  length: number;
  stride: number;
}

/** @throws GpuError, ShaderError */
export async function placeRows(device: GPUDevice, moves: readonly RowMove[]): Promise<void> {
  const pipeline = await computePipeline(device, SHADER);
  await withArena(device, (arena) =>
    submit(device, 'moving caches', (encoder) =>
      encodePass(
        encoder,
        device,
        moves.map(({ from, to, rows, length, stride }) => ({
          pipeline,
          bindings: [from, to, arena.uniform([rows, length, stride])],
          workgroups: rows,
        })),
      ),
    ),
  );
}
