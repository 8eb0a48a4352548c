import createClient from "openapi-fetch";
import type { paths } from "./api";

async function main(): Promise<void> {
  const client = createClient<paths>({ baseUrl: process.argv[2] });
  const given = await client.POST("/v1/accounts/{account_id}/commands/OpenAccount", {
    params: {
      path: { account_id: "from-typescript" },
      header: { "idempotency-key": "open", "refunds-actor": "BILLING:billing" },
    },
    body: { account_type: "ONLINE", us_government: false, currency: "CNY" },
  });
  const shown = await client.GET("/v1/accounts/{account_id}/commands/{command_id}", {
    params: { path: { account_id: "from-typescript", command_id: "open" } },
  });
  console.log(given.data?.outcome, shown.data?.events?.[0]?.event);
}

void main();
