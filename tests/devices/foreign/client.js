// Three reads at once on one connection, then a write and a read back, with npm's modbus-serial.
// usage: node client.js PORT
const ModbusRTU = require("../npm/node_modules/modbus-serial");

async function main() {
    const client = new ModbusRTU();
    await client.connectTCP("127.0.0.1", { port: Number(process.argv[2]) });
    client.setID(1);
    client.setTimeout(2000);
    const reads = [10, 20, 30].map((address) => client.readHoldingRegisters(address, 2));
    const found = await Promise.all(reads);
    await client.writeRegisters(40, [7, 8]);
    const back = await client.readHoldingRegisters(40, 2);
    console.log(JSON.stringify([...found.map((one) => one.data), back.data]));
    client.close(() => process.exit(0));
}

main().catch((error) => {
    console.log(JSON.stringify(String(error)));
    process.exit(1);
});
