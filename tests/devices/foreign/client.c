/* Every function libmodbus knows, once, against the server under test; one line of output each.
 * usage: client tcp HOST PORT UNIT | client rtu PATH BAUD UNIT */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void report(const char *what, int rc, const uint16_t *words, int n)
{
    printf("%s", what);
    if (rc < 0)
        printf(" error: %s", modbus_strerror(errno));
    for (int k = 0; rc >= 0 && k < n; k++)
        printf(" %d", words[k]);
    printf("\n");
}

static void report_bits(const char *what, int rc, const uint8_t *bits, int n)
{
    uint16_t words[64];
    for (int k = 0; k < n; k++)
        words[k] = bits[k];
    report(what, rc, words, n);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int tcp = strcmp(argv[1], "tcp") == 0;
    modbus_t *m = tcp ? modbus_new_tcp(argv[2], atoi(argv[3]))
                      : modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1);
    modbus_set_slave(m, atoi(argv[4]));
    modbus_set_response_timeout(m, 2, 0);
    if (modbus_connect(m) < 0) {
        printf("connect: %s\n", modbus_strerror(errno));
        return 1;
    }
    uint16_t words[125] = {0};
    uint16_t some[3] = {11, 22, 65535};
    uint8_t bits[64] = {1, 0, 1, 1, 0, 0, 0, 1, 1, 1};
    int rc;
    rc = modbus_read_registers(m, 10, 3, words), report("fc3", rc, words, 3);
    rc = modbus_read_registers(m, 0, 125, words), report("fc3 125", rc, words + 124, 1);
    rc = modbus_read_input_registers(m, 20, 2, words), report("fc4", rc, words, 2);
    rc = modbus_write_register(m, 5, 4242), report("fc6", rc, words, 0);
    rc = modbus_write_registers(m, 6, 3, some), report("fc16", rc, words, 0);
    rc = modbus_read_registers(m, 5, 4, words), report("read back", rc, words, 4);
    rc = modbus_mask_write_register(m, 5, 0x00f2, 0x0025), report("fc22", rc, words, 0);
    rc = modbus_write_and_read_registers(m, 30, 2, some, 30, 3, words), report("fc23", rc, words, 3);
    rc = modbus_write_bit(m, 3, 1), report("fc5", rc, words, 0);
    rc = modbus_write_bits(m, 4, 10, bits), report("fc15", rc, words, 0);
    rc = modbus_read_bits(m, 3, 11, bits), report_bits("fc1", rc, bits, 11);
    rc = modbus_read_input_bits(m, 3, 4, bits), report_bits("fc2", rc, bits, 4);
    rc = modbus_read_registers(m, 190, 20, words), report("beyond", rc, words, 0);
    rc = modbus_read_registers(m, 5, 1, words), report("after", rc, words, 1);
    modbus_close(m);
    modbus_free(m);
    return 0;
}
