// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

/// @title Energy certificates, issued once
/// @notice An asset is the 32 random bytes given once to a connection point and used by every
/// issuer: whoever knows them can link all its certificates. Time is counted in one quantum for
/// all; a longer interval claims each of its quanta, so whatever overlaps collides. One unit is
/// 1 Wh. Holders transfer certificates whole or in parts, and retire them for good.
contract CertificateRegistry is AccessControl, ERC1155 {
    /// @notice Which way the energy flowed through the connection point.
    enum Direction {
        Export,
        Import
    }

    /// @notice May issue certificates, and freeze its own.
    bytes32 public constant ISSUER = keccak256("gridrig.issuer");
    /// @notice Length of a quantum, counted from 1970. [s]
    uint64 public constant QUANTUM_S = 300;
    /// @notice Longest interval of a certificate: one day.
    uint64 public constant QUANTA_MAX = 288;

    /// @notice The certificate that holds a quantum; zero while it is free.
    mapping(bytes32 key => uint256 certificate) public certificateOf;
    mapping(uint256 certificate => address issuer) public issuerOf;
    mapping(uint256 certificate => bool) public frozen;
    mapping(uint256 certificate => mapping(address account => uint256)) public retired;

    event CertificateIssued(
        uint256 indexed certificate,
        bytes32 indexed asset,
        address indexed owner,
        uint64 firstQuantum,
        uint64 quanta,
        Direction direction,
        uint256 energy_wh
    );
    event CertificateRetired(
        uint256 indexed certificate,
        address indexed account,
        uint256 energy_wh,
        string purpose
    );
    event CertificateFrozen(uint256 indexed certificate);

    error AssetEmpty();
    error EnergyEmpty();
    error IntervalBound(uint64 quanta);
    error IntervalAhead(uint64 firstQuantum, uint64 quanta);
    error QuantumTaken(bytes32 asset, uint64 quantum, uint256 certificate);
    error NotIssuer(uint256 certificate, address account);
    error Frozen(uint256 certificate);

    constructor(address admin, address issuer) ERC1155("") {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(ISSUER, issuer);
    }

    /// @notice Returns what a certificate of one quantum would be about.
    function keyOf(
        bytes32 asset,
        uint64 quantum,
        Direction direction
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(asset, quantum, direction));
    }

    /// @notice Issues a certificate over an interval of which no quantum has one.
    /// @return certificate Its number: the key of its first quantum.
    function issue(
        bytes32 asset,
        uint64 firstQuantum,
        uint64 quanta,
        Direction direction,
        address owner,
        uint256 energy_wh
    ) external onlyRole(ISSUER) returns (uint256 certificate) {
        if (asset == bytes32(0)) revert AssetEmpty();
        if (energy_wh == 0) revert EnergyEmpty();
        if (quanta == 0 || quanta > QUANTA_MAX) revert IntervalBound(quanta);
        // Energy is certified after it was metered.
        if ((uint256(firstQuantum) + quanta) * QUANTUM_S > block.timestamp) {
            revert IntervalAhead(firstQuantum, quanta);
        }
        certificate = uint256(keyOf(asset, firstQuantum, direction));
        for (uint64 quantum = firstQuantum; quantum < firstQuantum + quanta; ++quantum) {
            bytes32 key = keyOf(asset, quantum, direction);
            if (certificateOf[key] != 0) revert QuantumTaken(asset, quantum, certificateOf[key]);
            certificateOf[key] = certificate;
        }
        issuerOf[certificate] = msg.sender;
        emit CertificateIssued(
            certificate, asset, owner, firstQuantum, quanta, direction, energy_wh
        );
        // Last: an owner that is a contract is called, and finds all of the above done.
        _mint(owner, certificate, energy_wh, "");
    }

    /// @notice Takes units out of circulation for good, in the caller's name.
    function retire(uint256 certificate, uint256 energy_wh, string calldata purpose) external {
        if (energy_wh == 0) revert EnergyEmpty();
        _burn(msg.sender, certificate, energy_wh);
        retired[certificate][msg.sender] += energy_wh;
        emit CertificateRetired(certificate, msg.sender, energy_wh, purpose);
    }

    /// @notice Stops every move of a certificate whose reading was withdrawn.
    function freeze(uint256 certificate) external onlyRole(ISSUER) {
        if (issuerOf[certificate] != msg.sender) revert NotIssuer(certificate, msg.sender);
        frozen[certificate] = true;
        emit CertificateFrozen(certificate);
    }

    /// @inheritdoc ERC1155
    function supportsInterface(
        bytes4 interfaceId
    ) public view override(AccessControl, ERC1155) returns (bool) {
        return super.supportsInterface(interfaceId);
    }

    function _update(
        address from,
        address to,
        uint256[] memory certificates,
        uint256[] memory amounts
    ) internal override {
        for (uint256 i = 0; i < certificates.length; ++i) {
            if (frozen[certificates[i]]) revert Frozen(certificates[i]);
        }
        super._update(from, to, certificates, amounts);
    }
}
