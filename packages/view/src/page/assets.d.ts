/** Files whose address the page needs. */
declare module "*?url" {
  const address: string;
  export default address;
}
