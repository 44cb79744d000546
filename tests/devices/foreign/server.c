/* A server on libmodbus with 200 holding registers, each its own address at the beginning.
 * usage: server tcp PORT_FILE | server rtu PATH BAUD UNIT; stops when its input ends or the peer does. */
#include <arpa/inet.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int tcp = strcmp(argv[1], "tcp") == 0;
    modbus_t *m = tcp ? modbus_new_tcp("127.0.0.1", 0)
                      : modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1);
    modbus_mapping_t *map = modbus_mapping_new(0, 0, 200, 0);
    for (int k = 0; k < 200; k++)
        map->tab_registers[k] = k;
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    if (tcp) {
        int listener = modbus_tcp_listen(m, 1);
        struct sockaddr_in where;
        socklen_t size = sizeof where;
        getsockname(listener, (struct sockaddr *)&where, &size);
        printf("%d\n", ntohs(where.sin_port));
        fflush(stdout);
        modbus_tcp_accept(m, &listener);
    } else {
        modbus_set_slave(m, atoi(argv[4]));
        if (modbus_connect(m) < 0)
            return 1;
        printf("ready\n");
        fflush(stdout);
    }
    for (;;) {
        int size = modbus_receive(m, query);
        if (size < 0)
            return 0;
        if (size > 0)
            modbus_reply(m, query, size, map);
    }
}
