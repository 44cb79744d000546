"""Modbus servers for emulated devices, TCP and RTU, and the units behind them."""

from gridrig.devices.wire.modbus_rtu_server import ModbusRtuServer
from gridrig.devices.wire.modbus_tcp_server import CONNECTIONS_MAX, ModbusTcpServer
from gridrig.devices.wire.modbus_units import WAITING_MAX, RegisterUnit, Reply, Unit

__all__ = [
    "CONNECTIONS_MAX",
    "WAITING_MAX",
    "ModbusRtuServer",
    "ModbusTcpServer",
    "RegisterUnit",
    "Reply",
    "Unit",
]
