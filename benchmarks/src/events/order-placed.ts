/** The event that every contender carries: with its envelope a CloudEvent of about 500 bytes as JSON. */
export interface OrderPlaced {
  readonly id: string;
  readonly type: "shop.order.placed";
  readonly source: "/shop";
  readonly subject: string;
  readonly time: number;
  readonly data: { readonly n: number; readonly customer: string; readonly lines: readonly object[] };
}

export function orderPlaced(n: number): OrderPlaced {
  const lines = ["lamp", "chair", "table"].map((sku, at) => ({ sku, quantity: at + 1, price: 1_990 + at, tax: 0.19 }));
  const id = `${process.pid}-${n}`;
  return {
    ...{ id, type: "shop.order.placed", source: "/shop", subject: `order-${n}`, time: Date.now() },
    data: { n, customer: `customer-${n % 1_000}`, lines },
  };
}

/** Which act an event is of. */
export function actOf(data: unknown): number {
  if (typeof data === "object" && data !== null && "n" in data && typeof data.n === "number") return data.n;
  throw new Error(`expected the data of an event that this bench made, got ${JSON.stringify(data)}`);
}
