/** The exact values behind a figure: what its table shows and its CSV holds. */
export interface Table {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** why there are fewer rows than points, where there are */
  note?: string;
}
