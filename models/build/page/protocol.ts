/** What the training process (Node), its page and its worker say to each other. */

export interface StartTraining {
  recipeName: string;
  /** base64 of the ONNX file */
  onnx: string;
  /** base64 of a training state (safetensors) to resume from */
  resume?: string;
  /** save the whole state every so many steps */
  stateEvery: number;
}

export type TrainingEvent =
  | { type: 'progress'; step: number; loss: number; gradientNorm: number; seconds: number }
  | { type: 'state'; step: number; bytes: string }
  | { type: 'checkpoint'; step: number; loss: number; bytes: string }
  | { type: 'done' }
  | { type: 'failed'; message: string };
